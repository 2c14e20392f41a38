"""What client and server say: messages, errors, documents. No network, no model."""
