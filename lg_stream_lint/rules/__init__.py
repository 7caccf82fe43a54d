"""The rules: one file each, in a folder per family. The registry finds them; nothing else names them."""
