"""The vision layer for Langfuse and Arize Phoenix."""
