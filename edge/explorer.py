"""The API explorer at /docs: Swagger UI from its wheel, opened on this installation's own document."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

_TYPES = {"css": "text/css", "js": "text/javascript", "png": "image/png"}
_SERVED = frozenset({"swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png"})
_INDEX = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Tintype API</title>
<link rel="icon" href="/docs/favicon-32x32.png"><link rel="stylesheet" href="/docs/swagger-ui.css">
<style>
@media (max-width: 640px) {
  .swagger-ui .wrapper { padding: 0 8px; }
  .swagger-ui .opblock-tag { flex-wrap: wrap; }
  .swagger-ui .opblock-tag small { flex: 1 0 100%; order: 1; padding: 4px 0 0; }
  .swagger-ui .opblock-body, .swagger-ui .models { overflow-x: auto; }
}
</style>
</head>
<body>
<div id="ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script>
SwaggerUIBundle({url: "/openapi.json", dom_id: "#ui", deepLinking: true, persistAuthorization: true,
  displayRequestDuration: true, docExpansion: "list", tagsSorter: "alpha", validatorUrl: null});
</script>
</body>
</html>
"""


@cache
def page(name: str) -> tuple[str, bytes] | None:
    """Content type and bytes of one of the explorer's files ("": the page itself), or None."""
    if not name:
        return "text/html; charset=utf-8", _INDEX.encode()
    if name not in _SERVED:
        return None
    content = (files("swagger_ui") / "static" / name).read_bytes()
    return _TYPES[name.rpartition(".")[2]], content
