"""Times PyTorch on the networks that `bench-gpu` times, with the same weights: the opponents of our plan for CUDA cards.

    pip install torch numpy safetensors
    python torch_peers.py --weights classic.safetensors --size 1920x1080
    python torch_peers.py --weights swift.safetensors --size 64x48 --device cpu --runs 3     # only to see that it works

Three ways, batch 1:

    eager-f32       in f32, on cards that have it with TF32
    eager-f16       in f16, channels last
    compiled-f16    the same by torch.compile(mode="max-autotune"), which records CUDA graphs

"ms" is from float picture to float painting, both in the card's memory; "ms_with_transfers" from an RGB8 picture (H, W, 3) in
pinned memory to an RGB8 painting there: up, to floats, painted, clamped and rounded, down. Prints one JSON object:

    {"torch", "device", "network", "width", "height", "peers": [{"peer", "ms", "ms_with_transfers", "psnr_db"}, ...]}

with times as {"median", "p95", "min"}; "psnr_db" compares the painting with that of plain f32. A way that does not work has
"failed", the reason, in their place.
"""

import argparse
import json
import struct
import sys
import time

import torch
import torch.nn.functional as F
from safetensors.torch import load_file


def architecture(path):
    """The network's kind by the file's metadata; the community's files, which have none, are transformer_nets."""
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        metadata = json.loads(file.read(length)).get("__metadata__", {})
    return metadata.get("pastiche.architecture", "transformer_net"), metadata


class Painter(torch.nn.Module):
    """Layers by the names of their weights."""

    def __init__(self, weights):
        super().__init__()
        for name, tensor in weights.items():
            self.register_buffer(name.replace(".", "_"), tensor)

    def weight(self, name):
        return getattr(self, name.replace(".", "_"))

    def conv(self, x, name, stride=1):
        weight = self.weight(name + ".weight")
        x = F.pad(x, (weight.shape[-1] // 2,) * 4, mode="reflect")
        return F.conv2d(x, weight, self.weight(name + ".bias"), stride)

    def norm(self, x, scale, shift):
        return F.instance_norm(x, weight=self.weight(scale), bias=self.weight(shift), eps=1e-5)

    @staticmethod
    def enlarged(x):
        return F.interpolate(x, scale_factor=2, mode="nearest")


class TransformerNet(Painter):
    """Johnson et al. with instance norm and nearest enlargement, key for key the PyTorch example's network."""

    def block(self, x, conv, norm, stride=1):
        return self.norm(self.conv(x, conv + ".conv2d", stride), norm + ".weight", norm + ".bias")

    def forward(self, x):
        y = F.relu(self.block(x, "conv1", "in1"))
        y = F.relu(self.block(y, "conv2", "in2", 2))
        y = F.relu(self.block(y, "conv3", "in3", 2))
        for res in (f"res{number}" for number in range(1, 6)):
            z = F.relu(self.block(y, res + ".conv1", res + ".in1"))
            y = y + self.block(z, res + ".conv2", res + ".in2")
        y = F.relu(self.block(self.enlarged(y), "deconv1", "in4"))
        y = F.relu(self.block(self.enlarged(y), "deconv2", "in5"))
        return self.conv(y, "deconv3.conv2d")


class Swift(Painter):
    """Our own network: most of the work at a quarter of the size."""

    def __init__(self, weights, blocks):
        super().__init__(weights)
        self.blocks = blocks

    def block(self, x, conv, norm, stride=1):
        return self.norm(self.conv(x, conv, stride), norm + ".scale", norm + ".shift")

    def forward(self, x):
        y = F.relu(self.block(F.pixel_unshuffle(x, 2), "down", "down_norm", 2))
        for res in (f"res{number}" for number in range(1, self.blocks + 1)):
            z = F.relu(self.block(y, res + ".conv1", res + ".norm1"))
            y = y + self.block(z, res + ".conv2", res + ".norm2")
        y = F.relu(self.block(self.enlarged(y), "up1", "up1_norm"))
        y = F.relu(self.block(self.enlarged(y), "up2", "up2_norm"))
        return self.conv(y, "out")


def load(path, device):
    kind, metadata = architecture(path)
    weights = {name: tensor.float() for name, tensor in load_file(path).items()}
    if kind == "transformer_net":
        network = TransformerNet(weights)
    elif kind == "swift":
        network = Swift(weights, int(metadata.get("pastiche.swift.blocks", 4)))
    else:
        sys.exit(f"this script has no {kind}; it has transformer_net and swift")
    return kind, network.eval().to(device)


class Clock:
    """Times work on a device, which is waited for."""

    def __init__(self, device, runs):
        self.cuda, self.runs = device.type == "cuda", runs

    def wait(self):
        if self.cuda:
            torch.cuda.synchronize()

    def time(self, work):
        """Milliseconds, each run by itself, after a warm-up in which compilers, caches and graphs settle."""
        for _ in range(3):
            work()
        self.wait()
        times = []
        for _ in range(self.runs):
            started = time.perf_counter()
            work()
            self.wait()
            times.append((time.perf_counter() - started) * 1e3)
        times.sort()
        at = lambda share: round(times[round((len(times) - 1) * share)], 4)
        return {"median": at(0.5), "p95": at(0.95), "min": at(0.0)}


def psnr_db(painting, reference):
    error = (painting.float().clamp(0, 255) - reference.clamp(0, 255)).square().mean().item()
    if error != error:
        return 0.0
    # JSON has no infinity: what is the same is far beyond what matters.
    return 200.0 if error == 0 else min(200.0, round(10 * torch.log10(torch.tensor(255.0**2 / error)).item(), 2))


def precise(allowed):
    """Whether f32 is multiplied as it is, without TF32."""
    torch.backends.cuda.matmul.allow_tf32 = not allowed
    torch.backends.cudnn.allow_tf32 = not allowed


def measure(peer, network, picture, reference, clock):
    """One peer's row. `network` is of the right number type and layout, `picture` RGB8 (1, H, W, 3) in main memory."""
    device = next(network.buffers()).device
    dtype = next(network.buffers()).dtype
    layout = torch.contiguous_format if dtype == torch.float32 else torch.channels_last
    call = network
    if peer.startswith("compiled"):
        mode = "max-autotune" if device.type == "cuda" else "default"
        call = torch.compile(network, mode=mode)
    pinned = picture.pin_memory() if device.type == "cuda" else picture
    target = torch.empty_like(pinned, pin_memory=device.type == "cuda")

    def planes(bytes_on_device):
        return bytes_on_device.permute(0, 3, 1, 2).to(dtype).contiguous(memory_format=layout)

    x = planes(pinned.to(device))

    def with_transfers():
        y = call(planes(pinned.to(device, non_blocking=True)))
        rounded = y.float().add(0.5).clamp(0, 255).to(torch.uint8)
        target.copy_(rounded.permute(0, 2, 3, 1), non_blocking=True)

    return {
        "peer": peer,
        "ms": clock.time(lambda: call(x)),
        "ms_with_transfers": clock.time(with_transfers),
        "psnr_db": psnr_db(call(x), reference),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", required=True)
    parser.add_argument("--size", default="1920x1080", help="width and height, multiples of 4")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--peers", default="eager-f32,eager-f16,compiled-f16")
    arguments = parser.parse_args()
    width, height = map(int, arguments.size.split("x"))
    device = torch.device(arguments.device)
    if device.type == "cuda":
        torch.backends.cudnn.benchmark = True
    clock = Clock(device, arguments.runs)
    torch.manual_seed(0)
    picture = torch.randint(0, 256, (1, height, width, 3), dtype=torch.uint8)
    rows = []
    with torch.inference_mode():
        kind, network = load(arguments.weights, device)
        precise(True)
        reference = network(picture.to(device).permute(0, 3, 1, 2).float()).float()
        precise(False)
        for peer in arguments.peers.split(","):
            try:
                _, network = load(arguments.weights, device)
                if peer.endswith("f16"):
                    network = network.half().to(memory_format=torch.channels_last)
                rows.append(measure(peer, network, picture, reference, clock))
            except Exception as error:  # whatever a build of PyTorch lacks here
                rows.append({"peer": peer, "failed": f"{type(error).__name__}: {error}".splitlines()[0][:300]})
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"
    print(json.dumps({"torch": torch.__version__, "device": name, "network": kind, "width": width, "height": height, "peers": rows}))


if __name__ == "__main__":
    main()
