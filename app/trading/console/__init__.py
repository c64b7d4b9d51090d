"""The console: one page of the environment, made on the server, live through the WebSocket."""
