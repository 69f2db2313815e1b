"""COCO's json and its kin: CocoVID, YouTube-VIS, and pictures that are frames of videos."""
