//! Messages leave: each once where that can be known, none after its code died or became void, and
//! no dead provider holds up what another carries.

mod leaders;
mod limits;
mod outcomes;
mod secrecy;
