# A container that predicts, evaluates and serves; it trains nothing.
#     docker build -t forecast .
#     docker run --rm -i -v "$PWD:/models:ro" forecast predict -m sales.forecast - < new.csv
#     docker run --rm -p 8000:8000 -v "$PWD:/models:ro" -e FORECAST_TOKEN forecast \
#         serve sales.forecast --host 0.0.0.0
# `python scripts/run_dockerfile.py FOLDER` runs these steps in a folder, without Docker.
FROM python:3.13-slim AS build
WORKDIR /src
RUN python -m venv /opt/forecast
COPY requirements requirements
RUN /opt/forecast/bin/pip install --no-cache-dir -r requirements/predict.txt
COPY pyproject.toml README.md LICENSE CHANGELOG.md mkdocs.yml ./
COPY docs docs
COPY sample_data sample_data
COPY forecast_cli forecast_cli
RUN /opt/forecast/bin/pip install --no-cache-dir --no-deps .
# The container that runs installs, tests and compiles nothing.
RUN /opt/forecast/bin/python -m pip uninstall --yes --quiet setuptools pip && \
    rm -r /opt/forecast/lib/python*/site-packages/pandas/tests \
    /opt/forecast/lib/python*/site-packages/pyarrow/tests \
    /opt/forecast/lib/python*/site-packages/pyarrow/include

FROM python:3.13-slim
COPY --from=build /opt/forecast /opt/forecast
ENV PATH=/opt/forecast/bin:$PATH PYTHONUNBUFFERED=1 HOME=/tmp
WORKDIR /models
# A number needs no entry in /etc/passwd, and Kubernetes sees that it is not root.
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=3s --start-period=10s CMD \
    ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/health', timeout=2)"]
ENTRYPOINT ["forecast"]
CMD ["--help"]
