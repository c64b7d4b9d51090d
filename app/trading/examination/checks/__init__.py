"""The checks of an examination, one file each."""
