"""May this person enter, here, now?"""
