"""Who is calling, proven by what they bring."""
