"""gRPC servers, channels and the interceptor chain."""
