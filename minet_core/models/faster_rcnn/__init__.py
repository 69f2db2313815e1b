"""The paper's Faster R-CNN with an identify head beside the detect head."""
