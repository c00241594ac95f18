"""Rate speech quality from 1 to 5 with a frozen wav2vec 2.0 and a small head."""

import random

import numpy as np
import pandas as pd
import torch
import torchaudio
from scipy.stats import spearmanr
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, Dataset
from transformers import AutoModel

EPOCHS = 5
RATE_HZ = 16000


class Clips(Dataset):
    def __init__(self, rows, augment):
        self.rows = rows
        self.augment = augment

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, index):
        row = self.rows.iloc[index]
        waveform, rate = torchaudio.load(row["path"])
        waveform = torchaudio.functional.resample(waveform, rate, RATE_HZ)[0, : 4 * RATE_HZ]
        waveform = nn.functional.pad(waveform, (0, 4 * RATE_HZ - len(waveform)))
        waveform = (waveform - waveform.mean()) / (waveform.std() + 1e-7)
        if self.augment:
            waveform = waveform + 0.001 * torch.randn_like(waveform)
        return waveform, torch.tensor(row["mos"], dtype=torch.float32)


class Rater(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = AutoModel.from_pretrained("facebook/wav2vec2-base")
        self.head = nn.Sequential(nn.Dropout(0.1), nn.Linear(2 * 768, 1))

    def forward(self, waveforms):
        self.backbone.eval()
        with torch.no_grad():
            frames = self.backbone(waveforms).last_hidden_state
        pooled = torch.cat([frames.mean(1), frames.std(1)], dim=-1)
        return 1 + 4 * torch.sigmoid(self.head(pooled)).squeeze(-1)


def evaluate(model, loader):
    model.eval()
    predictions, labels = [], []
    with torch.no_grad():
        for waveforms, scores in loader:
            predictions.append(model(waveforms))
            labels.append(scores)
    return spearmanr(torch.cat(predictions), torch.cat(labels)).statistic


def main():
    random.seed(1)
    np.random.seed(1)
    torch.manual_seed(1)
    rows = pd.read_csv("clips.csv")
    rows, test = train_test_split(rows, test_size=0.1, random_state=1)
    train, validation = train_test_split(rows, test_size=0.2, random_state=1)
    train_loader = DataLoader(Clips(train, augment=True), batch_size=8, shuffle=True)
    validation_loader = DataLoader(Clips(validation, augment=False), batch_size=8)
    model = Rater()
    optimizer = torch.optim.AdamW(model.head.parameters(), lr=1e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1e-3, total_steps=EPOCHS * len(train_loader))
    best, waited = -1.0, 0
    for epoch in range(EPOCHS):
        model.train()
        for waveforms, scores in train_loader:
            with torch.autocast("cuda", dtype=torch.bfloat16):
                loss = nn.functional.mse_loss(model(waveforms), scores)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        score = evaluate(model, validation_loader)
        if score > best:
            best, waited = score, 0
            torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, "best.pt")
        else:
            waited += 1
            if waited == 10:
                break
    model.load_state_dict(torch.load("best.pt")["model"])
    print("test", evaluate(model, DataLoader(Clips(test, augment=False), batch_size=8)))


if __name__ == "__main__":
    main()
