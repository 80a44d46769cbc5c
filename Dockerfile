# The program and its runtime packages, nothing else. Run it with a read-only root: all that it writes is in /data.
FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci
COPY tsconfig.json tsconfig.build.json tsconfig.client.json ./
COPY src ./src
COPY data ./data
COPY training ./training
COPY models ./models
COPY web ./web
RUN npm run build && npm prune --omit=dev

# What `plimsoll fetch` speaks to exchanges with, in the version that is tested: only whoever fetches needs it.
FROM node:24-slim AS exchanges
WORKDIR /lock
COPY package-lock.json ./
WORKDIR /exchanges
RUN npm install --ignore-scripts "ccxt@$(node -p "require('/lock/package-lock.json').packages['node_modules/ccxt'].version")"

FROM node:24-slim AS base
WORKDIR /app
COPY --from=build /app/package.json ./package.json
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY models/aliases.json models/experiments.jsonl ./models/
COPY models/versions ./models/versions
RUN mkdir /data && chown node:node /data
# Reachable from outside its container, so that a start without PLIMSOLL_KEYS is refused with the remedy.
ENV PLIMSOLL_HOST=0.0.0.0 PLIMSOLL_PORT=8080 PLIMSOLL_DATA_DIR=/data
USER node
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.PLIMSOLL_PORT + '/readyz').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "dist/src/cli.js"]
CMD ["serve"]

# docker build --target fetch: found in the folder above, after the program's own packages.
FROM base AS fetch
COPY --from=exchanges /exchanges/node_modules /node_modules
CMD ["fetch"]

FROM base
