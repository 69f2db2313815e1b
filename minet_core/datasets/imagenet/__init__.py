"""ImageNet VID and DET in their official layouts."""
