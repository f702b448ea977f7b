"""Images and labels: data sets, splits, batches, augmentation."""
