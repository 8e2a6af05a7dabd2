"""What the server and the gates must agree on: pure rules, structs and formats, without I/O."""
