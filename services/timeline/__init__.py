"""Home feeds, pushed and pulled, and author timelines."""
