# minet on a CPU: docker build -t minet . && docker run --rm -v "$PWD:/data" minet detect street.mp4
FROM python:3.11-slim

# First, and in a layer of its own: PyTorch without CUDA, which changes seldom.
RUN pip install --no-cache-dir torch torchvision --index-url https://download.pytorch.org/whl/cpu

COPY pyproject.toml README.md LICENSE /opt/minet/
COPY minet_cli /opt/minet/minet_cli
COPY minet_core /opt/minet/minet_core
COPY weights /opt/minet/weights
# There is no screen: OpenCV's build without windows needs no libGL.
RUN pip install --no-cache-dir /opt/minet \
    && pip uninstall --yes opencv-python \
    && pip install --no-cache-dir opencv-python-headless \
    && rm -r /opt/minet

RUN useradd --uid 1000 --create-home minet && install --directory --owner minet /data
USER 1000
# Where any user may write, as with --user "$(id -u)" there is no home.
ENV HOME=/tmp
WORKDIR /data
ENTRYPOINT ["minet"]
