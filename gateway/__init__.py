"""The gateway's configuration: Envoy, generated from the descriptor set and a few addresses."""

from gateway.options import GatewayOptions
from gateway.render import render

__all__ = ["GatewayOptions", "render"]
