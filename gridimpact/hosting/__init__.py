"""How many cars a network hosts: draws solved under every strategy, judged, counted, and kept on disk."""
