"""The gate's face: one terminal screen on which a verdict cannot be missed."""
