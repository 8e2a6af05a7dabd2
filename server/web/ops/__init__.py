"""The operations page: one person sees the whole venue at a glance, and acts."""
