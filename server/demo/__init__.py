"""The guided tour: one evening at a venue, told with real parts and checked against what must happen."""
