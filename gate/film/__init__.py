"""Films of people holding tickets up to a camera, made on the spot for demonstrations, drills and tests."""
