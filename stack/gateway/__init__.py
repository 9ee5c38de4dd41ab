"""The gateway's configuration: Envoy, generated from the descriptor set and a few addresses."""

from stack.gateway.options import GatewayOptions
from stack.gateway.render import render

__all__ = ["GatewayOptions", "render"]
