"""The demo's documents: pictures, their ground truth, and how the drawn ones are made."""

from vlmops.demo.dataset import demo_folder
from vlmops.demo.receipt_parser import parse_receipt

__all__ = ["demo_folder", "parse_receipt"]
