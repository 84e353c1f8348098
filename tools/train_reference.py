"""Trains the reference recipe in PyTorch: the original script without augmentation and shuffling.

    python3 tools/train_reference.py --data data -t meniscus -p coronal --weights FILE

Starts from the weights of a .safetensors file of this toolkit, or from `--seed`, the seeded weights
of tools/reference_mrnet.py. Prints one JSON object an epoch with the unrounded losses and AUCs; as
in the original they are rounded to four decimals before they steer the schedule and the early stop.
`--float64` and `--no_onednn` show how far apart PyTorch's own ways of rounding lead a run.

Needs PyTorch and NumPy.
"""

import argparse
import json
import pathlib
import time

import numpy as np
import torch

from reference_mrnet import (
    NETWORKS,
    EarlyStopping,
    as_input,
    make_mrnet,
    make_optimizer,
    make_scheduler,
    read_safetensors,
    roc_auc,
    seeded_state,
    weighted_loss,
)


def read_dataset(folder, split, task, plane):
    """The exams and labels of one split, in the order of the label file."""
    folder = pathlib.Path(folder)
    lines = (folder / f"{split}-{task}.csv").read_text().split()
    rows = [line.split(",") for line in lines]
    exams = [np.load(folder / split / plane / f"{int(id):04d}.npy") for id, _ in rows]
    return exams, [int(label) for _, label in rows]


def run_epoch(model, exams, labels, optimizer=None):
    """One pass; with an optimizer each exam moves the model after it was evaluated."""
    positives = sum(labels)
    positive_weight = (len(labels) - positives) / positives
    losses, scores = [], []
    for exam, label in zip(exams, labels):
        with torch.set_grad_enabled(optimizer is not None):
            logits = model(as_input(exam, model.classifer.weight.dtype))
            loss = weighted_loss(logits, label, positive_weight)
        if optimizer is not None:
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        losses.append(loss.item())
        scores.append(torch.sigmoid(logits.detach())[0][1].item())
    return float(np.mean(losses)), roc_auc(labels, scores)


def train(model, train_set, valid_set, *, epochs, lr, lr_scheduler, gamma=0.5, patience=5):
    """Yields losses and AUCs of each epoch until the last one or the early stop."""
    optimizer = make_optimizer(model, lr)
    step_scheduler = make_scheduler(lr_scheduler, optimizer, gamma)
    stopping = EarlyStopping(patience)
    for epoch in range(1, epochs + 1):
        used = optimizer.param_groups[0]["lr"]
        start = time.perf_counter()
        train_loss, train_auc = run_epoch(model, *train_set, optimizer)
        val_loss, val_auc = run_epoch(model, *valid_set)
        seconds = time.perf_counter() - start
        steering = float(np.round(val_loss, 4))
        step_scheduler(steering)
        stop = stopping.step(steering)
        yield {
            "epoch": epoch,
            "train_loss": train_loss,
            "train_auc": train_auc,
            "val_loss": val_loss,
            "val_auc": val_auc,
            "lr": used,
            "seconds": seconds,
            "stopped": stop,
        }
        if stop:
            return


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("-t", "--task", required=True)
    parser.add_argument("-p", "--plane", required=True)
    parser.add_argument("--data", default="data")
    parser.add_argument("--network", choices=list(NETWORKS), default="alexnet")
    start = parser.add_mutually_exclusive_group(required=True)
    start.add_argument("--weights", help="a .safetensors file")
    start.add_argument("--seed", type=int, help="seed of seeded_state")
    parser.add_argument("--epochs", type=int, default=50)
    parser.add_argument("--lr", type=float, default=1e-5)
    parser.add_argument("--lr_scheduler", choices=["plateau", "step", "none"], default="plateau")
    parser.add_argument("--gamma", type=float, default=0.5)
    parser.add_argument("--patience", type=int, default=5)
    parser.add_argument("--float64", action="store_true", help="train in double precision")
    parser.add_argument("--no_onednn", action="store_true", help="with PyTorch's own convolutions")
    parser.add_argument("--threads", type=int, default=1, help="of the processor")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.backends.mkldnn.enabled = not args.no_onednn
    drawn = args.weights is None
    state = seeded_state(args.seed, args.network) if drawn else read_safetensors(args.weights)
    sets = [read_dataset(args.data, split, args.task, args.plane) for split in ("train", "valid")]
    options = {name: getattr(args, name) for name in ("epochs", "lr", "lr_scheduler")}
    options.update(gamma=args.gamma, patience=args.patience)
    dtype = torch.float64 if args.float64 else torch.float32
    model = make_mrnet(state, dtype, args.network)
    for report in train(model, *sets, **options):
        print(json.dumps(report), flush=True)


if __name__ == "__main__":
    main()
