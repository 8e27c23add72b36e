"""What the stories share: the running program, bytes on the wire, tokens, and the command line."""
