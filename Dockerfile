# Pinhole without anything that builds it. Runs as the user node, writes to /data alone.
ARG NODE_VERSION=22

FROM node:${NODE_VERSION}-bookworm AS build
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
COPY tools tools
# No script of a dependency runs but the one that fetches or builds SQLite's binding.
RUN npm ci --ignore-scripts --no-audit --no-fund && npm rebuild better-sqlite3
COPY . .
# What SQLite's binding was compiled from is left behind.
RUN npm run build && npm prune --omit=dev --ignore-scripts --no-audit --no-fund \
    && chmod 755 dist/src/cli/main.js \
    && cd node_modules/better-sqlite3 && rm -rf deps src \
    && find build -type f ! -name better_sqlite3.node -delete

FROM node:${NODE_VERSION}-bookworm-slim
LABEL org.opencontainers.image.title="Pinhole" \
      org.opencontainers.image.description="Sell an API for bitcoin over Lightning: an L402 paywall and an LNC mailbox relay" \
      org.opencontainers.image.licenses="MIT"
ENV NODE_ENV=production \
    PINHOLE_BASEDIR=/data
RUN install -d -o node -g node -m 0700 /data \
    && ln -s /app/dist/src/cli/main.js /usr/local/bin/pinhole
WORKDIR /app
COPY --from=build /src/node_modules node_modules
COPY --from=build /src/dist dist
COPY --from=build /src/package.json /src/sample-conf.yaml /src/LICENSE ./
COPY --from=build /src/deploy/health.mjs deploy/
USER node
VOLUME /data
EXPOSE 8081
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=6s --start-period=20s --retries=3 \
  CMD ["node", "/app/deploy/health.mjs", "localhost:8081"]
ENTRYPOINT ["node", "/app/dist/src/cli/main.js"]
CMD ["start", "--listenaddr=0.0.0.0:8081"]
