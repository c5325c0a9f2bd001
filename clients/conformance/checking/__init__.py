"""Whether the cases of this folder fit the contract; `../check.py` runs it."""
