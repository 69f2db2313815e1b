"""minet's own files: result.json, detections.csv, scores.f32, Parquet."""
