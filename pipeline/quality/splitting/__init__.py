"""Splitting: the side of every row: stratified, grouped, true to the past, and nothing held out given away."""
