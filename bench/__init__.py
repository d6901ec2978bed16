"""Measures tickertape from outside, as its users meet it: `make bench` or `python -m bench`."""
