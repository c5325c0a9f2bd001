"""The synchronous client, made of the asynchronous one where only words differ."""
