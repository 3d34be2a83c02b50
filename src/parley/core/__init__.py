"""What the product does, one verb a module, over the store and through carriers."""
