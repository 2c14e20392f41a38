"""The generated sample: posts of three topics with planted incidents, and a source of them."""
