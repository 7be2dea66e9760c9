"""What the program knows of Italian and of the field's words."""
