"""The attendee's ticket page: the code in a phone's browser, opened by a signed link."""
