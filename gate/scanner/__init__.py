"""From a camera, a film or a folder of pictures to the texts of the codes in view."""
