"""Who hears what, when and where. Pure: values in, values out."""
