"""An xml file a frame: Pascal VOC, and ImageNet VID in its official layout."""
