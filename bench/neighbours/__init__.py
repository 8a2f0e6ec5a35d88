"""What bench/ann.py is made of."""
