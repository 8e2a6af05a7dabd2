"""What the gate keeps on its disk: its own log of scans, and what it knows of the event's tickets."""
