"""The simulated Tandem Source (the "stand-in"), with a generated account, reachable by any client through a proxy on loopback."""
