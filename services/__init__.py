"""The services, each a folder with the same rooms."""
