"""What `parley doctor` looks at, a module per part of the world."""
