"""The gate in front of another program, from outside: as a proxy, and for proxies that ask."""
