"""A deployed HTTP API at a fixed local address, for programs that know neither its id nor how to sign in."""
