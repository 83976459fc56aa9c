"""The catalogue over HTTP: what is in force, and the way of a draft to the counter."""
