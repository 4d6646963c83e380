"""The stand-in: a simulated Tandem Source with a generated account, reached by any client through a proxy on loopback."""
