"""A toy video dataset: shapes on clutter, in the layout of ImageNet VID."""
