# Not built yet: nixpkgs was not at hand. Only its syntax is checked.
# SPDX-License-Identifier: MIT
# In a checkout: nix-build -E '(import <nixpkgs> { }).callPackage ./packaging/nix { }'
{
  lib,
  stdenv,
  cargo,
  python3,
  rustc,
  rustPlatform,
}:

stdenv.mkDerivation {
  pname = "libtuntap";
  version = "0.1.0";

  src = lib.cleanSource ../..;
  cargoDeps = rustPlatform.importCargoLock { lockFile = ../../Cargo.lock; };

  nativeBuildInputs = [
    cargo
    python3
    rustc
    rustPlatform.cargoSetupHook
  ];

  makeFlags = [ "PREFIX=$(out)" ] ++ lib.optional (
    stdenv.buildPlatform != stdenv.hostPlatform
  ) "CARGO_BUILD_TARGET=${stdenv.hostPlatform.rust.rustcTarget}";

  strictDeps = true;
  enableParallelBuilding = true;

  meta = {
    description = "Create, configure and drive TUN and TAP network devices";
    license = with lib.licenses; [
      mit
      unicode-30
      asl20-llvm
    ];
    platforms = lib.platforms.linux ++ lib.platforms.darwin;
  };
}
